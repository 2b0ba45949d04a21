"""What moves by itself in the simulated AWS, and what can be reached from outside of its API.

Health checkers, alarms, schedules and metrics move by pulses (pulse.py); load balancers, the edge, name servers and
functions are outlets (outlets.py). A region that is out (outage.py) answers nothing and moves nothing.
"""
