import numpy as np
import pytest

from norface.faces.smoothing import Smoother

TIMES = np.arange(200) * 0.04


def run(smoother, times, values, people=None):
    people = np.zeros(len(times), int) if people is None else people
    out = []
    for n, (time, person, value) in enumerate(zip(times, people, values, strict=True)):
        out += smoother.push(n, time, person, [value])
    out += smoother.flush()
    assert [row for row, _ in out] == list(range(len(times)))
    return np.array([value[0] for _, value in out])


def noisy(seed=0):
    return 2.0 + np.random.default_rng(seed).normal(0, 0.3, len(TIMES))


def test_off_changes_nothing():
    np.testing.assert_array_equal(run(Smoother(), TIMES, noisy()), noisy())


@pytest.mark.parametrize(("mode", "share"), [("causal", 0.6), ("centred", 0.6)])
def test_noise_is_calmed_and_the_level_kept(mode, share):
    smoothed = run(Smoother(mode=mode), TIMES, noisy())
    assert smoothed[20:].std() < share * noisy().std()
    assert smoothed[20:].mean() == pytest.approx(noisy()[20:].mean(), abs=0.05)


def test_causal_never_reaches_into_the_future():
    one, other = noisy(), noisy()
    other[100:] = 5.0
    smoothed = [run(Smoother(mode="causal"), TIMES, values) for values in (one, other)]
    np.testing.assert_array_equal(smoothed[0][:100], smoothed[1][:100])
    assert (smoothed[0][100:] != smoothed[1][100:]).all()


def test_an_onset_comes_through():
    step = np.where(TIMES < 4, 0.0, 4.0)
    causal = run(Smoother(mode="causal"), TIMES, step)
    assert causal[TIMES < 4].max() == 0
    assert causal[TIMES > 4.25].min() > 3.4


def test_centred_delays_nothing():
    bump = np.exp(-(((TIMES - 4) / 0.3) ** 2))
    smoothed = run(Smoother(mode="centred"), TIMES, bump)
    assert abs(TIMES[smoothed.argmax()] - 4) < 0.02


@pytest.mark.parametrize("mode", ["causal", "centred"])
def test_time_counts_not_frames(mode):
    def wave(times):
        return np.sin(2 * times)

    fine, coarse = np.arange(0, 6, 0.01), np.arange(0, 6, 0.04)
    random = np.random.default_rng(2)
    uneven = np.sort(random.choice(fine, 200, replace=False))
    reference = run(Smoother(mode=mode), fine, wave(fine))
    for times in (coarse, uneven):
        found = run(Smoother(mode=mode), times, wave(times))
        expected = np.interp(times, fine, reference)
        assert np.abs(found - expected)[times > 1].max() < 0.06


@pytest.mark.parametrize("mode", ["off", "causal", "centred"])
def test_missing_values_stay_missing_and_spoil_none(mode):
    values = np.full(60, 2.0)
    values[[0, 1, 30, 31]] = np.nan
    smoothed = run(Smoother(mode=mode), TIMES[:60], values)
    np.testing.assert_array_equal(np.isnan(smoothed), np.isnan(values))
    np.testing.assert_allclose(smoothed[np.isfinite(smoothed)], 2.0)


@pytest.mark.parametrize("mode", ["causal", "centred"])
def test_people_do_not_mix(mode):
    people = np.arange(len(TIMES)) % 2
    smoothed = run(Smoother(mode=mode), TIMES, np.where(people, 5.0, 1.0), people)
    np.testing.assert_allclose(smoothed, np.where(people, 5.0, 1.0))


@pytest.mark.parametrize("mode", ["off", "causal", "centred"])
def test_rows_without_a_face_keep_their_place(mode):
    smoother = Smoother(mode=mode)
    out = []
    for n in range(20):
        person, values = (None, []) if n % 3 == 0 else (0, [1.0, np.nan])
        out += smoother.push(f"row {n}", n * 0.04, person, values)
    out += smoother.flush()
    assert [row for row, _ in out] == [f"row {n}" for n in range(20)]
    assert [len(values) for _, values in out] == [0 if n % 3 == 0 else 2 for n in range(20)]


def test_after_an_absence_the_past_is_forgotten():
    times = np.array([0.0, 0.04, 5.0])
    assert run(Smoother(mode="causal"), times, [4.0, 4.0, 0.0])[-1] == 0.0


def test_two_rows_of_one_moment_do_no_harm():
    assert np.isfinite(run(Smoother(mode="causal"), [0.0, 0.0, 0.04], [1.0, 3.0, 2.0])).all()


def test_centred_holds_few_rows():
    smoother = Smoother(mode="centred")
    for n in range(5000):
        list(smoother.push(n, n * 0.04, 0, [1.0]))
    assert len(smoother._waiting) < 20
    assert len(smoother._near) < 20


@pytest.mark.parametrize("options", [{"mode": "both"}, {"cutoff": 0.0}, {"seconds": -1.0}])
def test_senseless_options_are_refused(options):
    with pytest.raises(ValueError, match="must be"):
        Smoother(**options)
