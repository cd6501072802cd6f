"""Referees: networks that read attributes off images, their training and their folders."""
