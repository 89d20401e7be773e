import numpy as np
from PIL import Image


def write_scan(path, bone):
    """Write an image of 40 x 32 pixels, with a bone of 20 x 8 or without."""
    image = np.full((40, 32), 13, np.uint8)
    image[10:30, 8:16] = 230 if bone else 13
    Image.fromarray(image).save(path)
    return path
