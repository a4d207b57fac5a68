"""The shape of the tree is a promise too."""

from tests.sizes import problems


def test_no_module_is_too_long_and_the_import_roots_hold_no_package_file():
    assert problems() == []
