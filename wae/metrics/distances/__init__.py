"""What is measured between two samples of images."""
