import pytest

from mscam_tf.data.manifests import Box, Manifest, Sample, find_denied, guess_findings


def find(label, *boxes, **options):
    return find_denied(Sample("a.png", label, "a", mask="m.png"), boxes, **options)


def test_an_image_without_objects_has_none_marked():
    assert find("none") == ""
    assert "marks 'crack' in it, x from 0 to 4, y from 1 to 4.5" in find(
        "none", Box(0, 1, 4, 4.5, "crack")
    )
    assert "b.csv, line 3 marks an object" in find("none", Box(0, 0, 4, 4, place="b.csv, line 3"))
    assert "its mask m.png marks an object" in find("none", masked=True)


def test_an_image_of_one_class_may_show_others():
    assert find("pore", Box(0, 0, 4, 4, "crack"), masked=True) == ""


@pytest.mark.parametrize(("visible", "denied"), [(0.4, False), (0.5, True)])
def test_what_the_edge_cuts_by_more_than_half_may_be_left_out(visible, denied):
    assert bool(find("none", Box(0, 0, 4, 4, visible=visible))) is denied


def test_a_box_of_none_marks_no_object():
    assert find("none", Box(0, 0, 4, 4, "none")) == ""


def test_findings_are_named_all_or_none():
    names = ["crack", "pore"]
    assert find("pore", Box(0, 0, 4, 4, "pore"), Box(0, 0, 4, 4), findings=names) == ""
    assert "labelled 'pore'" in find("pore", Box(0, 0, 4, 4, "crack"), findings=names)
    assert find("pore", Box(0, 0, 4, 4, "letter"), findings=names) == ""
    assert find("pore|crack", Box(0, 0, 4, 4, "crack"), findings=names) == ""


def test_labels_are_of_findings_if_one_names_several(tmp_path):
    def guess(*labels):
        return guess_findings(Manifest(tmp_path, tuple(Sample(x, x, x) for x in labels)))

    assert guess("none", "pore", "crack") == []
    assert guess("none", "pore", "crack|pore") == ["crack", "pore"]
