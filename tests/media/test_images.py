import io
import os
import struct
import threading
import zlib

import numpy as np
import pytest
from PIL import Image

from norface.media.images import (
    ImageError,
    list_images,
    read_image,
    to_rgb_array,
    write_image,
)

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def ramp(height=40, width=60):
    y, x = np.mgrid[0:height, 0:width]
    return np.dstack([x * 4, y * 6, x + y]).astype(np.uint8)


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of_size(width, height):
    """A valid header of any size, with next to no pixels behind it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(b"\0" * 64))
        + png_chunk(b"IEND", b"")
    )


def jpeg(image, **options):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


def test_a_plain_picture_comes_back(tmp_path):
    Image.fromarray(ramp()).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(image, ramp())
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    assert image.flags.writeable
    np.testing.assert_array_equal(read_image(str(tmp_path / "a.png")), image)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_rotation_a_camera_noted_is_applied(tmp_path, orientation):
    upright = Image.fromarray(ramp(48, 64))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "photo.jpg", quality=100, subsampling=0, exif=exif)
    read = read_image(tmp_path / "photo.jpg")
    assert read.shape == (48, 64, 3)
    assert np.abs(read.astype(int) - ramp(48, 64)).mean() < 3


def test_broken_camera_notes_are_no_reason_to_refuse(tmp_path):
    (tmp_path / "a.jpg").write_bytes(jpeg(ramp(), exif=b"Exif\0\0II*\0\xff\xff\xff\xff nonsense"))
    assert read_image(tmp_path / "a.jpg").shape == (40, 60, 3)


def test_16_bit_grey(tmp_path):
    values = np.array([[0, 257 * 100, 65535]], np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png")[0, :, 0], [0, 100, 255])
    Image.fromarray(values).save(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif")[0, :, 1], [0, 100, 255])


def test_16_bit_colour(tmp_path):
    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    pixel = struct.pack(">BHHH", 0, 257 * 200, 257 * 100, 0)
    data = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(pixel))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + data + png_chunk(b"IEND", b""))
    assert tuple(read_image(tmp_path / "a.png")[0, 0]) == (200, 100, 0)


def test_floats_in_tiff(tmp_path):
    Image.fromarray(np.array([[0.0, 0.5, 1.0]], np.float32)).save(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif")[0, :, 2], [0, 128, 255])


def test_palette_with_and_without_transparency(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, *BLUE])
    image.putdata([0, 1])
    image.save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), [[RED, BLUE]])
    image.save(tmp_path / "b.png", transparency=1)
    np.testing.assert_array_equal(read_image(tmp_path / "b.png"), [[RED, WHITE]])


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGBA", "CMYK", "YCbCr", "HSV"])
def test_every_colour_mode_becomes_rgb(tmp_path, mode):
    image = Image.new("RGB", (8, 8), WHITE).convert(mode)
    if mode == "HSV":  # which no file holds
        read = to_rgb_array(image)
    else:
        suffix = "jpg" if mode in ("CMYK", "YCbCr") else "png"
        image.save(tmp_path / f"a.{suffix}")
        read = read_image(tmp_path / f"a.{suffix}")
    assert read.shape == (8, 8, 3)
    assert (read > 250).all()


def test_cmyk_jpeg_keeps_its_colours(tmp_path):
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=95)
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - RED).max() < 12


def test_transparency_is_laid_over_white(tmp_path):
    image = Image.new("RGBA", (3, 1))
    image.putdata([(255, 0, 0, 255), (255, 0, 0, 0), (0, 0, 0, 128)])
    image.save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), [[RED, WHITE, (127, 127, 127)]])


def test_of_an_animation_the_first_frame_is_taken(tmp_path):
    frames = [Image.new("RGB", (4, 4), colour) for colour in (GREEN, RED, BLUE)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert (read_image(tmp_path / "a.gif") == GREEN).all()


def test_a_picture_of_one_pixel(tmp_path):
    Image.new("RGB", (1, 1), BLUE).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), [[BLUE]])


def test_the_content_counts_not_the_name(tmp_path):
    Image.fromarray(ramp()).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    np.testing.assert_array_equal(read_image(tmp_path / "a.jpg"), ramp())


LARGE_JPEG = jpeg(np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8))
BAD = {
    "empty.jpg": (b"", "empty"),
    "text.jpg": (b"this is no picture\n", "a text file"),
    "half.jpg": (LARGE_JPEG[: len(LARGE_JPEG) // 2], "damaged or cut short"),
    "beginning.jpg": (LARGE_JPEG[:30], "damaged"),
    "three.jpg": (LARGE_JPEG[:3], "not a picture"),
    "half.png": (png_of_size(50, 50), "damaged or cut short"),
    "bomb.png": (png_of_size(20_000, 20_000), "too large"),
    "allowed_by_pillow.png": (png_of_size(13_370, 13_370), "too large"),
    "none.png": (png_of_size(0, 10), "damaged|no pixels|not a picture"),
    "movie.jpg": (b"\0\0\0\x20ftypisom" + bytes(100), "a video"),
    "phone.heic": (b"\0\0\0\x20ftypheic" + bytes(100), "an HEIC photo"),
    "script.png": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "a PostScript file"),
    "noise.png": (bytes(range(128, 256)), "not a picture"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_with_a_reason(tmp_path, name):
    content, reason = BAD[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ImageError, match=reason) as caught:
        read_image(tmp_path / name)
    assert name in str(caught.value)
    assert str(caught.value).endswith((".", "again"))


def test_a_large_picture_that_is_allowed_gives_no_warning(tmp_path):
    (tmp_path / "a.png").write_bytes(png_of_size(10_000, 9_500))  # Pillow warns from 89 megapixels
    with pytest.raises(ImageError, match="cut short"):
        read_image(tmp_path / "a.png")


def test_missing_files_and_folders_are_refused(tmp_path):
    with pytest.raises(ImageError, match="does not exist"):
        read_image(tmp_path / "nowhere.jpg")
    with pytest.raises(ImageError, match="is a folder"):
        read_image(tmp_path)
    with pytest.raises(ImageError, match=r"a\0b"):
        read_image("a\0b.jpg")
    with pytest.raises(ImageError, match=r"x{300}"):
        read_image("x" * 300)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(ImageError, match="not a regular file"):
        read_image(tmp_path / "pipe.jpg")


def test_pictures_are_read_from_several_threads(tmp_path):
    Image.fromarray(ramp()).save(tmp_path / "a.png")
    read = []
    threads = [
        threading.Thread(target=lambda: read.append(read_image(tmp_path / "a.png")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read) == 8


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([[7, 9]], np.uint8), [[(7, 7, 7), (9, 9, 9)]]),
        (np.array([[[7]]], np.uint8), [[(7, 7, 7)]]),
        (np.array([[[0, 0]]], np.uint8), [[WHITE]]),
        (np.array([[[1, 2, 3, 255]]], np.uint8), [[(1, 2, 3)]]),
        (np.array([[0, 65535]], np.uint16), [[(0, 0, 0), WHITE]]),
        (np.array([[True, False]]), [[WHITE, (0, 0, 0)]]),
        (np.array([[[0.0, 0.5, 1.0]]]), [[(0, 128, 255)]]),
    ],
)
def test_arrays_become_rgb(array, expected):
    result = to_rgb_array(array)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, expected)


def test_an_rgb_array_is_not_copied_and_a_view_is_straightened():
    image = ramp()
    assert to_rgb_array(image) is image or np.shares_memory(to_rgb_array(image), image)
    view = to_rgb_array(image[:, ::-1])
    assert view.flags.c_contiguous
    np.testing.assert_array_equal(view, image[:, ::-1])


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((2, 2, 5), np.uint8), "shape"),
        (np.zeros(5, np.uint8), "shape"),
        (np.zeros((1, 2, 2, 3), np.uint8), "shape"),
        (np.zeros((0, 5, 3), np.uint8), "no pixels"),
        (np.zeros((2, 2, 3), np.int64), "type int64"),
        (np.full((2, 2), 200.0), "outside 0..1"),
        (np.full((2, 2), np.nan), "outside 0..1"),
        (np.array([["a"]]), "type"),
        (None, "shape"),
    ],
)
def test_what_is_no_picture_in_memory_is_refused(array, reason):
    with pytest.raises(ImageError, match=reason):
        to_rgb_array(array)


def test_folders_are_searched_sorted_and_hidden_files_skipped(tmp_path):
    for name in ("b.JPG", "a.png", "sub/c.webp", ".hidden.jpg", ".git/d.jpg", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in list_images([tmp_path])]
    assert found == ["a.png", "b.JPG", "sub/c.webp"]


def test_named_files_are_kept_in_order_whatever_their_names(tmp_path):
    paths = [tmp_path / "z", tmp_path / "missing.jpg", tmp_path / ".hidden.png"]
    paths[0].touch()
    assert list_images(paths) == paths
    assert list_images([]) == []


def test_a_folder_without_pictures_gives_none(tmp_path):
    (tmp_path / "notes.txt").touch()
    assert list_images([tmp_path]) == []


def test_a_picture_is_written_whole_and_nothing_else(tmp_path):
    write_image(tmp_path / "a.png", ramp())
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), ramp())
    write_image(tmp_path / "a.png", ramp()[:5])
    assert read_image(tmp_path / "a.png").shape == (5, 60, 3)
    write_image(tmp_path / "b.jpg", ramp())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.jpg"]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    write_image(tmp_path / "a.png", ramp())

    def fail(self, file, *args, **kwargs):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="No space"):
        write_image(tmp_path / "a.png", ramp()[:5])
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert read_image(tmp_path / "a.png").shape == (40, 60, 3)


@pytest.mark.parametrize("name", ["a", "a.txt", "a.eps", "a.pdf"])
def test_an_unknown_suffix_is_refused(tmp_path, name):
    with pytest.raises(ImageError, match="suffix"):
        write_image(tmp_path / name, ramp())


def test_a_missing_folder_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_image(tmp_path / "nowhere" / "a.png", ramp())
