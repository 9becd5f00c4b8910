--- Where `connectly sandbox` listens unless it is told otherwise, and where the examples
--- look for a sandbox when they are given no key.

return 8077
