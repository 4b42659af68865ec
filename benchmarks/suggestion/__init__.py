"""Which learning rate does a range test suggest, and how well does one train with it?

`measure` trains each of `tasks` at every max_lr of a grid (its response), beside range tests and
probes of it, and keeps the results task by task. `judge` reads them in seconds: every rule, ours
and the peers', by the regret of who follows it. `fit` makes the table in `cyclr.range_test`.
"""
