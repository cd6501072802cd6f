"""Photos of people as a model's input, and edits put back into them.

A photo is neither square nor aligned: the face is found, turned and scaled
to where the model's training pictures had it, and cut out. What an edit changes can be put back
into the photo at its full size.
"""

from icgan_sdk.photo.faces import FoundFace, find_faces
from icgan_sdk.photo.inputs import Align, Cut, Face, FaceOrAll, PasteBack, Placed, cut_photo, place
from icgan_sdk.photo.paste import open_photo, paste_changes

__all__ = [
    "Align",
    "Cut",
    "Face",
    "FaceOrAll",
    "FoundFace",
    "PasteBack",
    "Placed",
    "cut_photo",
    "find_faces",
    "open_photo",
    "paste_changes",
    "place",
]
