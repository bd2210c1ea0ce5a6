"""The pretrained language model that gives texts of items and queries their meaning."""
