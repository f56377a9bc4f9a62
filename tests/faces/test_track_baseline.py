import numpy as np
import pytest

from norface.faces.baseline import NeutralBaseline


def readings(rest, seed=0, frames=500):
    """Mostly at rest, noisy; the first two units come and go."""
    random = np.random.default_rng(seed)
    rows = rest + random.normal(0, 0.02, (frames, len(rest)))
    rows[100:200, :1] += 2.0
    rows[300:350, 1:2] += 3.0
    return np.clip(rows, 0, 5)


def observed(rows, **options):
    baseline = NeutralBaseline(columns=rows.shape[1], **options)
    for row in rows:
        baseline.observe(7, row)
    return baseline


def test_the_resting_face_is_found_and_taken_away():
    rest = np.array([0.8, 0.0, 1.5])
    rows = readings(rest)
    baseline = observed(rows)
    np.testing.assert_allclose(baseline.neutral(7), rest, atol=0.05)
    corrected = np.array([baseline.subtract(7, row) for row in rows])
    assert corrected.min() == 0.0
    assert corrected[100:200, 0].mean() == pytest.approx(2.0, abs=0.05)
    assert corrected[200:300].max() < 0.15


def test_the_quantile_is_numpys_to_a_hundredth():
    rows = np.random.default_rng(3).uniform(0, 5, (999, 4))
    for quantile in (0.05, 0.1, 0.5):
        expected = np.quantile(rows, quantile, axis=0, method="inverted_cdf")
        found = observed(rows, quantile=quantile).neutral(7)
        np.testing.assert_allclose(found, expected, atol=0.0051)


def test_neutral_frames_that_are_given_count_instead():
    baseline = observed(readings(np.array([0.5, 0.5])))
    baseline.give(7, [[1.0, np.nan], [2.0, 0.25]])
    np.testing.assert_allclose(baseline.neutral(7), [1.5, 0.25])
    np.testing.assert_allclose(baseline.subtract(7, [1.0, 2.25]), [0.0, 2.0])


def test_people_have_each_their_own():
    baseline = observed(readings(np.array([1.0, 1.0])))
    np.testing.assert_array_equal(baseline.neutral(8), [0.0, 0.0])
    np.testing.assert_array_equal(baseline.subtract(8, [1.0, 2.0]), [1.0, 2.0])


def test_a_few_frames_say_nothing():
    baseline = observed(np.full((24, 1), 2.0))
    assert baseline.neutral(7) == [0.0]
    baseline.observe(7, [2.0])
    assert baseline.neutral(7) == [2.0]


def test_missing_values_are_not_counted_and_stay_missing():
    rows = readings(np.array([1.0, 2.0]))
    rows[::2, 1] = np.nan
    baseline = observed(rows)
    assert baseline.neutral(7)[1] == pytest.approx(2.0, abs=0.05)
    assert np.isnan(baseline.subtract(7, [1.0, np.nan])[1])


def test_a_running_estimate_does_not_see_what_comes():
    rows = readings(np.array([1.0]))
    baseline = NeutralBaseline(columns=1)
    for row in rows[:50]:
        baseline.observe(0, row)
    before = baseline.neutral(0)
    baseline.observe(0, [5.0])
    np.testing.assert_allclose(baseline.neutral(0), before)


@pytest.mark.parametrize("options", [{"columns": 0}, {"quantile": 0.9}, {"highest": 0.0}])
def test_senseless_options_are_refused(options):
    with pytest.raises(ValueError, match="must be"):
        NeutralBaseline(**{"columns": 2} | options)
