from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from mscam_tf.data.checking import find_duplicates, take_fingerprint
from mscam_tf.data.checking.duplicates import MIN_SIMILARITY, ORIENTATIONS, cluster_duplicates
from mscam_tf.simulation import CLASS_NAMES, SimulationConfig, simulate_frame, simulate_radiograph

TURNS = [
    lambda image: np.rot90(image),
    lambda image: np.rot90(image, 2),
    lambda image: np.rot90(image, 3),
    np.fliplr,
    lambda image: np.rot90(np.fliplr(image)),
    lambda image: np.rot90(np.fliplr(image), 2),
    lambda image: np.rot90(np.fliplr(image), 3),
]


@pytest.fixture(scope="module")
def originals():
    """Return 24 simulated radiographs of 8 bits, not square."""
    config = SimulationConfig(image_size=(90, 120))
    images = []
    for seed in range(24):
        generator = np.random.default_rng(seed)
        image = simulate_radiograph(CLASS_NAMES[seed % 3], config, generator).image.astype(float)
        low, high = image.min(), image.max()
        images.append((255 * ((image - low) / (high - low))).astype(np.uint8))
    return images


def fingerprint(folder, images, **options):
    prints = []
    for number, image in enumerate(images):
        path = folder / f"{number}.{'jpg' if options else 'png'}"
        Image.fromarray(np.ascontiguousarray(image)).save(path, **options)
        prints.append(take_fingerprint(path))
    return prints


def find_copies(folder, originals, copies, **options):
    prints = fingerprint(folder, originals) + fingerprint(folder, copies, **options)
    return find_duplicates(prints)


def test_no_false_alarm(originals, tmp_path):
    assert find_duplicates(fingerprint(tmp_path, originals)) == []
    assert find_duplicates([]) == []


def test_equal_pixels(originals, tmp_path):
    prints = fingerprint(tmp_path, [originals[2], originals[0], originals[2], originals[2]])
    found = [(pair.first, pair.second, pair.exact) for pair in find_duplicates(prints)]
    assert found == [(0, 2, True), (0, 3, True)]


@pytest.mark.parametrize("turn", range(7))
def test_turned_copies_are_found_and_named(originals, tmp_path, turn):
    found = find_copies(tmp_path, originals, [TURNS[turn](image) for image in originals])
    count = len(originals)
    assert [(pair.first, pair.second) for pair in found] == [(i, i + count) for i in range(count)]
    assert {pair.orientation for pair in found} == {ORIENTATIONS[turn + 1]}
    assert min(pair.similarity for pair in found) > 0.99
    assert not any(pair.exact for pair in found)


@pytest.mark.parametrize(
    ("change", "options"),
    [
        (np.flipud, {"quality": 60}),
        (lambda image: np.rot90(255 - image), {}),
        (lambda image: (0.8 * image + 20).astype(np.uint8), {"quality": 75}),
        (lambda image: image[::2, ::2], {}),
    ],
)
def test_changed_copies_are_found(originals, tmp_path, change, options):
    found = find_copies(tmp_path, originals, [change(image) for image in originals], **options)
    count = len(originals)
    assert [(pair.first, pair.second) for pair in found] == [(i, i + count) for i in range(count)]


def test_a_negative_has_a_negative_similarity(originals, tmp_path):
    (pair,) = find_copies(tmp_path, originals[:1], [255 - originals[0]])
    assert pair.similarity == pytest.approx(-1, abs=1e-3)


def test_flat_images_are_compared_by_their_pixels_only(tmp_path):
    flat = [np.full((30, 40), value, np.uint8) for value in (7, 8, 7)]
    found = find_duplicates(fingerprint(tmp_path, flat))
    assert [(pair.first, pair.second, pair.exact) for pair in found] == [(0, 2, True)]


def test_more_images_than_a_block(originals, tmp_path):
    prints = fingerprint(tmp_path, [originals[0], *originals[1:3], np.fliplr(originals[0])])
    noise = np.random.default_rng(0).integers(0, 255, (300, 40, 40)).astype(np.uint8)
    prints[1:3] = fingerprint(tmp_path, noise)
    assert [(pair.first, pair.second) for pair in find_duplicates(prints)] == [(0, 301)]


def test_the_least_similarity_is_the_callers(originals, tmp_path):
    prints = fingerprint(tmp_path, originals[:4])
    assert find_duplicates(prints, min_similarity=1e-6) == []  # Their details differ.
    copies = prints + fingerprint(tmp_path, originals[:4], quality=80)
    assert len(find_duplicates(copies, min_similarity=0.3)) == 4
    assert find_duplicates(copies, min_similarity=1) == []
    with pytest.raises(ValueError, match=r"above 0 and .* Received: min_similarity=1\.5"):
        find_duplicates(prints, min_similarity=1.5)


def test_clusters_join_through_others(originals, tmp_path):
    images = [originals[0], originals[1], np.fliplr(originals[0]), originals[0]]
    found = find_duplicates(fingerprint(tmp_path, images))
    assert cluster_duplicates(4, found) == [[0, 2, 3]]


def test_many_alike_make_few_pairs(originals, tmp_path):
    (one,) = fingerprint(tmp_path, originals[:1])
    alike = [replace(one, digest=number.to_bytes(4)) for number in range(600)]
    found = find_duplicates(alike)
    assert [(pair.first, pair.second) for pair in found] == [(0, i) for i in range(1, 600)]
    assert len(find_duplicates([one] * 600)) == 599


def test_smooth_images_with_one_common_edge_are_no_copies(tmp_path):
    generator = np.random.default_rng(0)
    edge = np.where(np.arange(128) + 0.4 * np.arange(128)[:, None] > 80, 160.0, 40.0)
    images = [edge + generator.normal(0, 2, edge.shape) for _ in range(12)]
    prints = fingerprint(tmp_path, [image.astype(np.uint8) for image in images])
    similar = [abs((a.thumbnail * b.thumbnail).sum()) for a, b in combinations(prints, 2)]
    assert max(similar) > MIN_SIMILARITY
    assert find_duplicates(prints) == []


@pytest.fixture(scope="module")
def fillets():
    """Return 8 simulated fillets of 8 bits, each whole and in the middle of its image."""
    config = SimulationConfig(image_size=(256, 400), pixel_pitch=2.0)
    frames = [simulate_frame(config, 8, np.random.default_rng(seed)).image for seed in range(8)]
    return [(frame / (frame.max() / 255)).astype(np.uint8) for frame in frames]


def test_whole_products_in_one_position_are_no_copies(fillets, tmp_path):
    """They share their outline, which runs through half of the tiles."""
    prints = fingerprint(tmp_path, fillets)
    similar = [abs((a.thumbnail * b.thumbnail).sum()) for a, b in combinations(prints, 2)]
    assert max(similar) > MIN_SIMILARITY
    coarse = [replace(one, details=one.details[:1]) for one in prints]
    assert len(find_duplicates(coarse)) > 0
    assert find_duplicates(prints) == []


@pytest.mark.parametrize(
    ("change", "options"),
    [
        (np.fliplr, {"quality": 50}),
        (lambda image: 255 - np.rot90(image), {"quality": 75}),
        (lambda image: image[3:, 2:], {}),
        (lambda image: image[::2, ::2], {}),  # Too small for the fine level.
    ],
)
def test_copies_of_whole_products_are_found(fillets, tmp_path, change, options):
    copies = [change(image) for image in fillets]
    count = len(fillets)
    found = {(p.first, p.second) for p in find_copies(tmp_path, fillets, copies, **options)}
    if min(copies[0].shape) >= 256:
        assert found == {(i, i + count) for i in range(count)}
    assert found >= {(i, i + count) for i in range(count)}


def test_images_in_one_frame_are_no_copies(tmp_path):
    """The edges of a collimator cross more than half of the tiles, but none in the middle."""
    generator = np.random.default_rng(0)
    images = np.full((12, 128, 128), 30.0)
    images[:, 10:118, 10:118] = generator.normal(120, 8, (12, 108, 108))
    images[:, :8, 60:90] = 250  # A marker of lead.
    prints = fingerprint(tmp_path, list(images.astype(np.uint8)))
    similar = [abs((a.thumbnail * b.thumbnail).sum()) for a, b in combinations(prints, 2)]
    assert max(similar) > MIN_SIMILARITY
    assert find_duplicates(prints) == []
