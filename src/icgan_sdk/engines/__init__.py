"""What runs the networks: one interface, and two engines, torch and onnxruntime, behind it.

Importing this package brings in neither of them.
"""
