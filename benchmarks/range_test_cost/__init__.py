"""What a range test costs in time and memory, beside other finders."""
