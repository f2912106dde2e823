<?php
class Client
{
    private $api_key = 'Qm5xT2sWb0aLr7Vd3HkYpg';
    private $api_secret = 'h8Kd0sLq2WvRz5Tn7Yb3Xc9Mf1Gj4Pe6Ua';
    private $url = 'https://api.zoom.us/v1/';
}
