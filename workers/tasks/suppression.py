"""Of boxes of one class that overlap, the best one."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt


def suppress(
    boxes: npt.NDArray[np.float32],
    classes: npt.NDArray[np.int64],
    scores: npt.NDArray[np.float32],
    iou: float,
) -> npt.NDArray[np.intp]:
    """Return the places of the boxes (x1 y1 x2 y2) to keep, the best first, ties in their order.

    One is left out if a better one of its class that is kept overlaps it by more than `iou` (0 to
    1), the share of what both cover together. Boxes with a score of 0 are left out, too.
    """
    # OpenCV moves each class to a place of its own, as far away as the largest coordinate is from
    # 0: so none may be below 0, or two classes meet. And it reads lists faster than arrays.
    corners = boxes - boxes.min(initial=0.0)
    corners[:, 2:] -= corners[:, :2]
    kept: Any = cv2.dnn.NMSBoxesBatched(
        corners.tolist(), scores.tolist(), classes.tolist(), 0.0, iou
    )
    return np.asarray(kept, np.intp)
