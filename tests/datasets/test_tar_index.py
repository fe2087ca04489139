"""Which members of tar shards are pictures, pairs and classes, also in damaged and hostile archives."""

import io
import os
import tarfile

import pytest
from support import sharded
from support.sharded import encoded, tar

from keras_gan.datasets import tar_index, tar_listing
from keras_gan.datasets.shards import TarShard
from keras_gan.images.members import TarMember
from keras_gan.images.sources import Sides


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def content(number):
    return encoded(number)


def members_of(shard):
    """The members in the entries of a shard, each checked to be where the index says."""
    found = []
    for number in range(shard.count):
        picture = shard.picture(number, number)
        members = list(picture) if isinstance(picture, Sides) else [picture]
        assert all(isinstance(member, TarMember) and member.content() for member in members)
        found.append(" ".join(str(member).removeprefix(f"{shard.path}/") for member in members))
    return found


def listed(path, names, **options):
    return TarShard(tar(path, [(name, content(number)) for number, name in enumerate(names)], **options))


def test_names(tmp_path):
    """Pictures alone, in any folders and capitals; others and hidden ones are left out."""
    names = ["a.jpg", "a.json", "A.PNG", "b/c.webp", "b/._c.png", ".png", "d", "b.c/d.png", "2024.05.01.png"]
    shard = listed(tmp_path / "0.tar", names)
    assert members_of(shard) == ["a.jpg", "A.PNG", "b/c.webp", "b.c/d.png", "2024.05.01.png"]
    assert not shard.are_pairs and not shard.faults and {*shard.suffixes} == {".cls", ".jpg", ".png", ".webp"}


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_and_those_of_other_alphabets(tmp_path, form):
    names = ["x" * 60 + "/" + "y" * 80 + f"{number}.{side}.png" for number in range(3) for side in "ab"]
    shard = listed(tmp_path / "0.tar", names, form=form)
    assert shard.count == 3 and shard.are_pairs
    shard = listed(tmp_path / "1.tar", ["été.png", "猫.png", "z.png"], form=form)
    assert shard.count == 3


@pytest.mark.parametrize("chunk", [1, 2, 3])
@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_long_name_belongs_to_the_next_member_alone(tmp_path, monkeypatch, chunk, form):
    """Also if that is a folder, or lies in the next chunk. The ending of a long name is in no header."""
    monkeypatch.setattr(tar_listing, "CHUNK", chunk)
    monkeypatch.setattr(tar_listing, "SMALL", 1)
    path = tmp_path / "0.tar"
    with tarfile.open(path, "w", format=form) as archive:
        names = ["1.txt", "x" * 120 + ".png", "2.png", "y" * 120, "3.png", "z" * 120 + ".txt", "4.jpg"]
        for number, name in enumerate(names):
            info = tarfile.TarInfo(name)
            info.type = tarfile.DIRTYPE if name[0] == "y" else tarfile.REGTYPE
            info.size = 0 if name[0] == "y" else len(content(number))
            archive.addfile(info, io.BytesIO(content(number)))
    shard = TarShard(path)
    assert [shard.picture(number, number).suffix for number in range(shard.count)] == [".png", ".png", ".png", ".jpg"]
    assert members_of(shard)[1:] == ["2.png", "3.png", "4.jpg"]


def test_headers_of_pax_without_a_name_hide_nothing(tmp_path):
    """Python's `tarfile` writes one before each member that has a time with fractions."""
    path = tmp_path / "0.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for number in range(3):
            source = tmp_path / f"{number}.png"
            source.write_bytes(content(number))
            os.utime(source, (1e9 + 0.5, 1e9 + 0.5))
            archive.add(source, source.name)
    assert members_of(TarShard(path)) == ["0.png", "1.png", "2.png"]


@pytest.mark.parametrize("words", ["a b", "A B", "input target", "b a", "original edited"])
def test_pairs_are_two_members_with_a_word_each(tmp_path, words):
    one, two = words.split()
    names = [name for key in ("1", "2", "p/3") for name in (f"{key}.{one}.png", f"{key}.json", f"{key}.{two}.jpg")]
    shard = listed(tmp_path / "0.tar", names)
    first, second = (two, one) if words == "b a" else (one, two)
    suffixes = {one: "png", two: "jpg"}
    expected = [f"{key}.{first}.{suffixes[first]} {key}.{second}.{suffixes[second]}" for key in ("1", "2", "p/3")]
    assert shard.are_pairs and members_of(shard) == expected and not shard.faults


def test_a_side_without_its_partner_is_told(tmp_path):
    shard = listed(tmp_path / "0.tar", ["1.a.png", "1.b.png", "2.a.png", "3.b.png", "4.a.png", "4.b.png"])
    assert members_of(shard) == ["1.a.png 1.b.png", "4.a.png 4.b.png"]
    assert shard.faults == ["not used: 2 pictures without the other side of the pair"]
    assert not listed(tmp_path / "1.tar", ["1.a.png", "2.a.png"]).are_pairs  # a side of unpaired data
    assert members_of(listed(tmp_path / "2.tar", ["1.a.png", "1.b.png", "1.a.png"])) == ["1.a.png 1.b.png"]


def test_classes(tmp_path):
    members = [("1.png", content(1)), ("1.cls", b"cat\n"), ("2.cls", b"dog"), ("2.png", content(2))]
    members += [("3.png", content(3)), ("4.png", content(4)), ("4.cls", b"cat")]
    shard = TarShard(tar(tmp_path / "0.tar", members))
    assert shard.classes == ["cat", "dog"] and shard.labels().tolist() == [0, 1, -1, 0]


def test_chunks_and_reads_hide_no_border(tmp_path, monkeypatch):
    """Pairs and classes lie across the borders of what is taken apart at once; members are larger than what is read."""
    members = []
    for number in range(40):
        members += [(f"{number}.a.png", content(number)), (f"{number}.b.png", content(number) + bytes(9000 * number))]
        members += [(f"{number}.cls", str(number % 3).encode())]
    path = tar(tmp_path / "0.tar", members)
    expected = members_of(TarShard(path))
    assert len(expected) == 40
    for chunk, read, small in ((1, 1024, 1), (7, 8192, 2**20), (2, 512, 512), (9, 2**20, 20_000)):
        monkeypatch.setattr(tar_listing, "CHUNK", chunk)
        monkeypatch.setattr(tar_listing, "READ", read)
        monkeypatch.setattr(tar_listing, "SMALL", small)
        with open(path, "rb", buffering=0) as archive:
            index = tar_listing.Listing(archive, path.stat().st_size).index()
        assert index.are_pairs and index.entries.tobytes() == TarShard(path)._entries.tobytes()


def test_a_picture_with_what_looks_like_a_header_hides_nothing(tmp_path):
    inner = tar(tmp_path / "inner.tar", [("x.png", content(1)), ("y.png", content(2))]).read_bytes()
    members = [
        ("1.png", content(1) + bytes(512 - len(content(1))) + inner),
        ("2.png", content(2)),
        ("3.png", content(3)),
    ]
    assert members_of(TarShard(tar(tmp_path / "0.tar", members))) == ["1.png", "2.png", "3.png"]


def test_the_index_is_kept_while_the_shard_stays(tmp_path, monkeypatch):
    path = sharded.tar(tmp_path / "0.tar", sharded.singles(1) + sharded.singles(2))
    before = members_of(TarShard(path))
    monkeypatch.setattr(tar_index, "Listing", None)  # nothing is listed again
    assert members_of(TarShard(path)) == before
    (kept,) = (tmp_path / "cache/keras_gan/shards").iterdir()
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    whole = kept.read_bytes()
    for damaged in (b"", whole[:50], whole[:-1], whole[:-76] + b"x" + whole[-75:], b"[]\n", b"{}\n"):
        kept.write_bytes(damaged)
        assert members_of(TarShard(path)) == before
    sharded.tar(path, sharded.singles(3))
    os.utime(path, (1, 1))
    assert members_of(TarShard(path)) == ["00003.png"]


def test_without_a_cache_folder_shards_are_listed_each_time(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert members_of(listed(tmp_path / "0.tar", ["1.png"])) == ["1.png"]


@pytest.mark.parametrize("keep", [512 + 10, 1024, 2048 + 100, 2048 + 512 + 10])
def test_of_a_tar_cut_anywhere_the_whole_members_are_used(tmp_path, keep):
    """Also between members. They take 1024 bytes each."""
    path = tar(tmp_path / "0.tar", [(f"{number}.png", content(number)) for number in range(4)])
    path.write_bytes(path.read_bytes()[:keep])
    shard = TarShard(path)
    whole = keep // 1024
    assert members_of(shard) == [f"{number}.png" for number in range(whole)]
    (fault,) = shard.faults
    assert "cut short" in fault and f"first {whole} picture" in fault


def test_a_shard_of_pairs_cut_within_the_first_is_none_of_single_pictures(tmp_path):
    """It would refuse all others, which have pairs."""
    for name, count in (("1.a.png", 0), ("1.png", 1)):
        path = tar(tmp_path / f"{count}.tar", [(name, content(0)), ("1.b.png", content(1))])
        path.write_bytes(path.read_bytes()[: 1024 + 512 + 10])
        shard = TarShard(path)
        assert shard.count == count and f"first {count} picture" in shard.faults[0]


def test_a_sparse_member_is_told(tmp_path):
    path = tar(tmp_path / "0.tar", [("a.png", content(0))])
    with tarfile.open(path, "a", format=tarfile.GNU_FORMAT) as archive:
        info = tarfile.TarInfo("b.png")
        info.type = tarfile.GNUTYPE_SPARSE
        archive.addfile(info)
    shard = TarShard(path)
    assert members_of(shard) == ["a.png"] and "b.png" in shard.faults[0]


def test_a_damaged_header_is_no_end(tmp_path):
    path = tar(tmp_path / "0.tar", [(f"{number}.png", content(number)) for number in range(3)])
    whole = bytearray(path.read_bytes())
    whole[1024 : 1024 + 300] = b"x" * 300
    path.write_bytes(whole)
    shard = TarShard(path)
    assert members_of(shard) == ["0.png"] and "damaged" in shard.faults[0]


def test_what_is_no_archive_has_no_pictures(tmp_path):
    for name, content in (("0.tar", b""), ("1.tar", b"no archive" * 200), ("2.tar", b"-0000000001" * 100)):
        (tmp_path / name).write_bytes(content)
        shard = TarShard(tmp_path / name)
        assert shard.count == 0 and len(shard.faults) == 1


def test_a_hostile_tar_loses_only_the_hostile_members(tmp_path):
    names = ["a.png", "../b.png", "/etc/c.png", "d.png", "e\x1b[2J.png", "c:\\f.png", "g..h.png"]
    path = tar(tmp_path / "0.tar", [(name, content(number)) for number, name in enumerate(names)])
    with tarfile.open(path, "a") as archive:
        link = tarfile.TarInfo("e.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    shard = TarShard(path)
    assert members_of(shard) == ["a.png", "d.png", "g..h.png"]
    (fault,) = shard.faults
    assert "link" in fault and "4 more" in fault and "\x1b" not in fault
    (fault,) = listed(tmp_path / "1.tar", ["../b.png", "a.png"]).faults
    assert fault == "not used: a name that leads out of its folder: '../b.png'"


def test_a_member_that_moved_is_not_taken_for_another(tmp_path):
    path = tar(tmp_path / "0.tar", [("1.png", content(1)), ("2.png", content(2))])
    member = TarShard(path).picture(1, 1)
    tar(path, [("0.png", content(0) + bytes(600)), ("1.png", content(1)), ("2.png", content(2))])
    with pytest.raises(ValueError, match="its shard has changed"):
        member.content()
    member = TarShard(tar(path, [("1.png", content(1))])).picture(0, 0)
    path.write_bytes(path.read_bytes()[: member.start + 5])
    with pytest.raises(ValueError, match="cut short"):
        member.content()
