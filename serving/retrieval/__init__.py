"""From a customer to ranked candidates, in numpy: the customer's state, the item index, the candidate sources and the
features of the ranker. The gateway calls this per request; training and evaluation call the very same code as of past
days.
"""
