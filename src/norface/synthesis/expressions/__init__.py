"""What faces do: samplers of facial actions, and the action units that they show."""
