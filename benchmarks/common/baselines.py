"""Classical baselines: a support vector machine on features made by hand.

It has `fit(images, labels, seed)` and `predict(images)`, for images `(n, height, width)` in
`[0, 1]`. Of two classes `predict` returns the distance to the border between them, `(n,)`: above
zero is class 1.
"""

from itertools import pairwise

import numpy as np


class SupportVectors:
    """A support vector machine on features made by hand."""

    def __init__(self, describe, strength=1.0):
        self.describe, self.strength = describe, strength

    def fit(self, images, labels, seed):
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from sklearn.svm import SVC

        self.machine = make_pipeline(StandardScaler(), SVC(C=self.strength, random_state=seed))
        self.machine.fit(self._read(images), labels)

    def predict(self, images):
        return self.machine.decision_function(self._read(images))

    def classify(self, images):
        """Return the class of each image, also of more than two."""
        return self.machine.predict(self._read(images))

    def _read(self, images):
        return np.stack([self.describe(image) for image in images])


def describe_gradients(image):
    """Histograms of oriented gradients (Dalal and Triggs 2005)."""
    from skimage.feature import hog

    return hog(image, orientations=9, pixels_per_cell=(10, 10), cells_per_block=(2, 2))


def describe_bands(image):
    """Energy and skewness of differences of Gaussians at six scales.

    How much texture of each size there is, and whether it is bright lines on a dark ground.
    """
    from scipy.ndimage import gaussian_filter

    image = (image - image.mean()) / (image.std() + 1e-6)
    sides = 0.7 * np.sqrt(2) ** np.arange(7)
    blurred = [gaussian_filter(image, side) for side in sides]
    bands = [fine - coarse for fine, coarse in pairwise(blurred)]
    return np.concatenate([[np.log(np.square(b).mean() + 1e-9), _skew(b)] for b in bands])


def _skew(values):
    return float(np.mean(values**3) / (np.mean(values**2) ** 1.5 + 1e-9))
