import zoomusic
from zoom import Client
