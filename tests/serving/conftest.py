import sys
from pathlib import Path

# retrieval_worlds.py is shared by the tests of retrieval, release and gateway.
sys.path.insert(0, str(Path(__file__).parent))
