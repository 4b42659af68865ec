"""The CIFAR-10 results of "Cyclical Learning Rates" (arXiv 1506.01186), trained again."""
