"""Models as folders: on disk, bundled with the package, and on the Hugging Face Hub.

The modules are imported one by one: `layout` and `bundled` cost nothing, `folder` brings torch.
"""
