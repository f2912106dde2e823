<?php
class Client
{
    private $api_key = 'YOUR_API_KEY_GOES_HERE_1';
    private $api_secret = '';
    private $other = 'h8Kd0sLq2WvRz5Tn7Yb3Xc9Mf1Gj4Pe6Ua';
    private $from_env = ENV_API_SECRET;
}
// Zoom
