from mscam_tf.training.preparation import choose_image_size, note_sizes


def test_mixed_sizes_are_said_once(tmp_path, caplog):
    note_sizes([(40, 40), (40, 40)], (40, 40))
    assert caplog.messages == []
    note_sizes([(40, 40), (30, 50), (40, 40)], (128, 128))
    assert caplog.messages == [
        "The images are resized to (128, 128); their sizes: 2, from (30, 50) to (40, 40)."
    ]


def test_a_strong_shrink_is_said(caplog):
    note_sizes([(600, 1400)], (256, 256))
    assert "shrunk 5.5 times: objects thinner than 8 pixels may be lost" in caplog.messages[1]


def test_image_size_by_default():
    assert choose_image_size([(100, 130)]) == (128, 160)
    assert choose_image_size([(20, 3000)]) == (128, 256)
    assert choose_image_size([(256, 256)]) == (256, 256)
