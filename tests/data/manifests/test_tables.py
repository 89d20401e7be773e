import pytest

from mscam_tf import ManifestError, read_manifest
from mscam_tf.data.manifests import parse_number

ROWS = [("a.png", "bone"), ("b.png", "none")]


def read(tmp_path, data):
    path = tmp_path / "data.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return [(sample.path, sample.label) for sample in read_manifest(path).samples]


@pytest.mark.parametrize(
    "text",
    [
        "path;label\na.png;bone\nb.png;none\n",
        "path\tlabel\na.png\tbone\nb.png\tnone\n",
        "\ufeff Path , LABEL\r\na.png,bone\r\nb.png,none\r\n",
        '"path","label"\n"a.png","bone"\n"b.png","none"',
        "\npath,label,,\na.png,bone,,\n,,,\n\nb.png,none,,\n,,,\n",
        "path,label\ra.png,bone\rb.png,none\r",
    ],
)
def test_tables_of_any_spreadsheet_are_read(tmp_path, text):
    assert read(tmp_path, text) == ROWS


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("path,label\na.png,bone\n필름.png,none\n".encode("cp949"), r"UTF-8. .*, line 3, the byte"),
        ("path,label\na.png,bone\n".encode("utf-16"), r"save it as UTF-8. .*, line 1, UTF-16"),
        ("path,label\na.png,bo\0ne\n", r"save it as UTF-8. .*, line 2, a zero byte"),
        ("path,label,label\na.png,bone,none\n", "line 1: each column .* Received: 'label' twice"),
        ("path,label,Label \na.png,bone,none\n", "line 1: each column .* Received: 'label' twice"),
        ("path,label,group\na.png,fish\n", "line 2: expected 3 cells, .* Received: 2"),
        ("path,label\na.png,bone\nb,c.png,none\n", "line 3: expected 2 cells, .* Received: 3"),
        (f"path,label\na.png,bone\nb.png,{'x' * 200_000}\n", "line 3: .* field limit"),
        ('path,label\n"a"x.png,bone\n', "line 2: expected a row of a CSV file"),
        ('path,label\n"a.png,bone\nb.png,none\nc.png",x\n', "line 2: a quotation mark takes"),
        ('path,label\na.png,"bone\nb.png,none"\n', "line 2: a quotation mark takes several rows"),
        ('path,label,note\na.png,x,"n\nb.png,y,m"\n', "line 2: a quotation mark .* 'note'"),
        ('path,label,note,by\na.png,x,"n,b\nb.png,y,m",c\n', "line 2: a quotation .* 'note'"),
        ("path,label\na.png,bone\npath,label\nb.png,none\n", "line 3: expected the header once"),
    ],
)
def test_bad_tables_name_the_line(tmp_path, data, message):
    with pytest.raises(ManifestError, match=message):
        read(tmp_path, data)


def test_a_comment_may_have_lines_and_commas(tmp_path):
    text = 'path,label,note\na.png,bone,"thin,\nand long"\nb.png,none,\n'
    assert read(tmp_path, text) == ROWS


def test_a_file_may_be_named_like_rows(tmp_path):
    (tmp_path / "a\n,b.png").touch()
    assert read(tmp_path, 'path,label\n"a\n,b.png",bone\n') == [("a\n,b.png", "bone")]


@pytest.mark.parametrize(
    "text",
    ["nan", "inf", "-inf", "1e400", "0x1f", "1_000", "1,5", "1.000,5", "3j", "", "\uff11", "x"],
)
def test_what_is_no_plain_number(text):
    assert parse_number(text) is None


def test_plain_numbers():
    texts = ("7", "-2.5", "+.5", "1E3", " 4. ")
    assert [parse_number(text) for text in texts] == [7, -2.5, 0.5, 1000, 4]


def test_a_label_may_have_commas_and_a_comment_lines_too(tmp_path):
    text = 'path,label,note\na.png,"bo,ne","a, b, c\nthin, long"\nb.png,none,\n'
    assert read(tmp_path, text) == [("a.png", "bo,ne"), ("b.png", "none")]
