"""OpenCV's dnn module, of version 4 or 5. It computes in NCHW: pictures are transposed before and after."""
import cv2
import numpy as np

from worker import Fails, difference

cv2.setNumThreads(1)
try:
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
except AttributeError:
    pass


def channels_first(value):
    return np.ascontiguousarray(np.moveaxis(value, -1, 1)) if value.ndim >= 4 else value


def load(path, feeds, fetches):
    with open(path, 'rb') as file:
        is_channels_first = b'NCHW' in file.read()
    net = cv2.dnn.readNetFromTensorflow(path)
    if net.empty():
        raise Fails('the net is empty')
    values = {name.split(':')[0]: value if is_channels_first else channels_first(value) for name, value in feeds.items()}
    for name, value in values.items():
        net.setInput(value, name)
    names = [name[:-2] if name.endswith(':0') else name for name in fetches]

    def call():
        for name, value in values.items():
            net.setInput(value, name)
        # As people call it: a layer that OpenCV has merged into another has lost its name.
        return [net.forward()] if len(names) == 1 else net.forward(names)
    return call, {'ops': len(net.getLayerNames())}


def compare(got, wanted):
    """Nothing says in which layout an output is: the one that is nearer to the truth."""
    return max(either(value, want) for value, (_, want) in zip(got, wanted))


def either(value, want):
    candidates = [value] + ([np.moveaxis(value, 1, -1)] if value.ndim >= 4 else [])
    differences = [difference(c, want) for c in candidates if c.size == want.size and is_near(c.shape, want.shape)]
    return min(differences) if differences else difference(value, want)


def is_near(shape, wanted):
    return [n for n in shape if n != 1] == [n for n in wanted if n != 1]
