"""What the page of one case shows beside the case itself."""
