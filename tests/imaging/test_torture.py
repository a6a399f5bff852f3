"""Every image that an installed package carries to test itself is read or refused in a sentence, as an image and as a series."""

import resource

import pytest

from tests.imaging.torture import installed, read

FILES = list(installed())


@pytest.mark.parametrize("package", sorted({package for package, _, _ in FILES}))
def test_every_file_of_a_package(package):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    came = [each for file in FILES if file[0] == package for each in read(*file)]
    assert not [each for each in came if "FAULT" in each.outcome]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2 << 20  # KiB: no file takes 2 GiB


def test_there_are_enough_of_them():
    assert len(FILES) > 200 and {"pydicom", "nibabel"} <= {package for package, _, _ in FILES}
