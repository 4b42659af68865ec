"""What a schedule costs, beside what one would write by hand and beside other libraries."""
