import time


def count_side_by_side(read, counts):
    """Return a reader that notes, of each image, how many it holds at that moment."""
    held = []

    def count(path, options):
        image = read(path, options)
        held.append(path)
        counts.append(len(held))
        time.sleep(0.01)
        held.pop()
        return image

    return count
