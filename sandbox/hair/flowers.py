from sandbox.hair.head import Field
from sandbox.hair.painting import Canvas


def paint_flowers(places: Field, yaw: float, canvas: Canvas) -> None:
    return
