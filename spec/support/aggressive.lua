-- A busted helper: the collector never rests, so that whatever is not held
-- properly is gone as soon as it can be. LuaJIT's never comes to an end with a
-- pause of 0 and a huge step; with these it goes round all the time as well.
local is_jit = rawget(_G, "jit") ~= nil
collectgarbage("setpause", is_jit and 1 or 0)
collectgarbage("setstepmul", is_jit and 400 or 1000000)
