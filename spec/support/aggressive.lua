-- A busted helper: the collector never rests, so that whatever is not held
-- properly is gone as soon as it can be.
collectgarbage("setpause", 0)
collectgarbage("setstepmul", 1000000)
