"""Networks that others have trained on millions of photos, ready to look into.

``trained_alexnet()`` gives None where the weights are not on this machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from helpers import _downloads
from helpers.language import gettext

if TYPE_CHECKING:
    from torchvision.models import AlexNet

__all__ = ["trained_alexnet"]

DOWNLOAD_SECONDS = 30 * 60
"""How long the download may take altogether: 244 MB in 30 minutes are 136 kB a second."""

DISK_BYTES_NEEDED = 300_000_000
"""Free disk space the download asks for: 244 MB, and some room."""


def trained_alexnet(download: bool = False) -> AlexNet | None:
    """Return torchvision's AlexNet with weights that were trained on ImageNet.

    The weights are one file of 244 MB. It lies where torchvision itself keeps it, the folder
    ``checkpoints`` in ``torch.hub.get_dir()``, so that both share it. The variable ``TORCH_HOME``
    moves that folder; the file's checksum is verified each time.

    Parameters
    ----------
    download
        False: the network is not touched. True: a file that is missing or damaged is downloaded,
        with a progress bar. The download is given up after 30 minutes, or 10 seconds of silence,
        and needs 300 MB of free disk space; if it fails, nothing of it is left.

    Returns
    -------
    torchvision.models.AlexNet or None
        On the CPU, in eval mode: float32 images of shape (N, 3, 224, 224), prepared by
        ``AlexNet_Weights.IMAGENET1K_V1.transforms()``, become scores of shape (N, 1000).
        None where the weights cannot be had; a printed sentence then says why, and what to do.

    Source: A. Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014;
    the weights are torchvision's ``AlexNet_Weights.IMAGENET1K_V1``.
    """
    from torchvision.models import AlexNet_Weights, alexnet

    url = AlexNet_Weights.IMAGENET1K_V1.url
    path = Path(torch.hub.get_dir(), "checkpoints", url.rpartition("/")[2])
    sha256 = path.stem.rpartition("-")[2]  # the name ends with the beginning of the checksum
    fault = _downloads.fault(path, sha256)
    if fault and download:
        try:
            _download(url, path, sha256)
        except _downloads.TransferError as error:
            print(
                gettext(
                    "The trained weights could not be downloaded, because {why} ({details}). "
                    "To try again, run this once more."
                ).format(why=error.why, details=error.details)
            )
            return None
    elif fault and not path.exists():
        print(
            gettext(
                "The trained weights (244 MB) are not on this machine. They are downloaded "
                "only if you ask for them: trained_alexnet(download=True)"
            )
        )
        return None
    elif fault:
        print(
            gettext(
                "The file with the trained weights is damaged: {path} ({fault}). To download "
                "it anew (244 MB): trained_alexnet(download=True)"
            ).format(path=path, fault=fault)
        )
        return None
    # No memory and no random numbers are spent on weights that are replaced at once.
    with torch.device("meta"):
        net = alexnet(weights=None)
    net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True), assign=True)
    return net.eval()


def _download(url: str, path: Path, sha256: str) -> None:
    """Download and check the weights, all or nothing; they replace a damaged file."""
    with _downloads.partial_folder(path.parent, DISK_BYTES_NEEDED, "TORCH_HOME") as partial:
        limit = _downloads.Limit(DOWNLOAD_SECONDS)
        print(
            gettext("Downloading the trained weights (244 MB), once; {limit} at most ...").format(
                limit=limit
            )
        )
        _downloads.fetch(url, partial / path.name, limit, max_bytes=DISK_BYTES_NEEDED)
        fault = _downloads.fault(partial / path.name, sha256)
        if fault:
            raise _downloads.TransferError(gettext("what arrived is something else"), fault)
        try:
            (partial / path.name).replace(path)
        except OSError as error:
            # On Windows, a file that another notebook has open cannot be replaced: if it is
            # intact, that notebook was first, and its copy will do.
            if _downloads.fault(path, sha256):
                raise _downloads.TransferError(
                    gettext("the file cannot be replaced"), f"{path}: {error.strerror}"
                ) from error
