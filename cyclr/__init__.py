"""cyclr: learning-rate schedules and the range test, for any framework."""
