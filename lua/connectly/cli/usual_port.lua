--- The default port of `connectly sandbox`. The examples look for a sandbox there when no key
--- is set.

return 8077
