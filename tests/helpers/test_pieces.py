"""What all pieces share: the shrunk scripts that they carry."""

import pytest

from helpers.pieces._piece import NOT_IN_A_SCRIPT
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
