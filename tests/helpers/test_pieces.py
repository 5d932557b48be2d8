"""What all pieces share: the shrunk scripts that they carry."""

import pytest

from helpers.pieces._piece import NOT_IN_A_SCRIPT
from helpers.pieces.draw_digit import draw_digit
from helpers.pieces.filter_dialog import filter_dialog
from helpers.pieces.network_explorer import explore_network
from helpers.pieces.stepper import step_conv2d
from helpers.pieces.train_here import train_here
from tests.support.scripts import load

shrink = load("tools/shrink_pieces.py")


@pytest.mark.parametrize("piece", shrink.PIECES)
def test_the_shrunk_script_belongs_to_its_sources(piece):
    text = shrink.shrunk(piece).read_text(encoding="utf-8")
    assert text.startswith(shrink.first_line(piece) + "\n"), "run tools/shrink_pieces.py"
    assert not [bad for bad in NOT_IN_A_SCRIPT if bad in text]


def test_every_script_of_every_piece_is_used():
    for piece, (sources, _) in shrink.PIECES.items():
        folder = shrink.FOLDER / piece
        written = {path.name for kind in ("*.css", "*.js") for path in folder.glob(kind)}
        own = {name for name in sources if "/" not in name}
        assert written - {shrink.shrunk(piece).name} == own
    folders = {path.parent.name for path in shrink.FOLDER.glob("*/__init__.py")}
    assert folders == set(shrink.PIECES)


@pytest.mark.parametrize(
    "make",
    [draw_digit, filter_dialog, explore_network, train_here, lambda: step_conv2d([[1]], [[1]])],
)
def test_before_its_cell_was_run_a_piece_says_what_to_do(make):
    """In JupyterLab, a reader who opens a lesson sees what stands there without scripts."""
    still = make()._repr_html_().partition("-->")[2].partition("</div>")[0]
    assert "<p><i>Run this cell in JupyterLab to " in still
