from tests.unit.runner.fixtures import bench, claude, place

__all__ = ["bench", "claude", "place"]
