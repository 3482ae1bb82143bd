"""The benchmark itself: it runs, and it judges its figures as it says. No speed is asserted here."""

import json

from tests.benchmarks.__main__ import main
from tests.benchmarks.figures import Figure, compared


def test_one_figure_at_a_twentieth_gives_a_table_and_a_file(tmp_path, capsys):
    out = tmp_path / "bench.json"
    assert main(["--quick", "--only", "scale_out", "--out", str(out)]) == 0
    written = json.loads(out.read_text())
    [figure] = written["figures"]
    assert figure["measured"] > 0
    assert figure["compared"] > 0
    assert len(figure["runs"]["ours"]) == len(figure["runs"]["theirs"]) == 1
    assert "conflicts" in figure["note"]
    assert written["quick"] is True
    assert written["machine"]["cores"] >= 1
    assert "scale-out" in capsys.readouterr().out


def test_a_comparison_is_the_median_of_the_ratios_of_neighbours():
    figure = compared("speed", [200, 50, 300], [100, 50, 100], "the other", goal=2)
    assert (figure.ratio, figure.measured, figure.compared) == (2, 200, 100)
    assert figure.met


def test_a_goal_may_be_a_ceiling_or_a_floor_or_missing():
    assert Figure("latency", 19, "ms", 20, at_least=False).met is True
    assert Figure("latency", 21, "ms", 20, at_least=False).met is False
    assert Figure("lives", 99, "/s", 100).met is False
    assert Figure("told only", 99, "/s").met is None


def test_lives_of_every_category_end(tmp_path):
    """Conduct matters too, whose facts travel on subjects of their own."""
    out = tmp_path / "bench.json"
    assert main(["--quick", "--only", "lives", "--out", str(out)]) == 0
    lives, *_rest = json.loads(out.read_text())["figures"]
    assert lives["measured"] > 0
