-- A busted helper: makes the garbage collector run all the time, so that an object without a
-- proper reference is collected as soon as possible. LuaJIT gets other values: with a pause of 0
-- and a huge step its collection never ends; with these it also runs all the time.
local is_jit = rawget(_G, "jit") ~= nil
collectgarbage("setpause", is_jit and 1 or 0)
collectgarbage("setstepmul", is_jit and 400 or 1000000)
