"""Arguments that can't be meant: exit 2 and one line, before anything is looked at."""

import pytest

from app.cli import main


@pytest.mark.parametrize("skew", ["nan", "inf", "-1", "soon"])
def test_a_clock_skew_is_seconds_from_nothing_on(skew: str, capsys: pytest.CaptureFixture[str]) -> None:
    # By a skew that compares with nothing, no time would ever be wrong.
    with pytest.raises(SystemExit, match="2"):
        main(["verify", f"--clock-skew={skew}"])
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)


def test_a_proof_is_of_at_least_one_entry(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["checkpoint", "--proof", "0"])
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
