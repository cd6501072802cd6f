"""Photos of people as a model's input, and edits put back into them.

A photo is neither square nor aligned: the face is found, turned and scaled
to where the model's training pictures had it, and cut out. What an edit changes can be put back
into the photo at its full size.
"""

from icgan_sdk.photo.faces import FoundFace, find_faces
from icgan_sdk.photo.placement import paste_changes
from icgan_sdk.photo.subject import Align, Face, FaceOrAll, PasteBack, Subject, find_subject

__all__ = [
    "Align",
    "Face",
    "FaceOrAll",
    "FoundFace",
    "PasteBack",
    "Subject",
    "find_faces",
    "find_subject",
    "paste_changes",
]
