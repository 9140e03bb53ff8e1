package coral.proxy;

/** What all requests of one proxy share. */
record Forwarder(ProxyLimits limits, Guard guard, UpstreamPool pool, ProxyCounters counters) {}
