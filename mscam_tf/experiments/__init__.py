"""The experiments of Lee and Cho (2021): Table 1, Figure 1 and the failure analysis."""
