<?php return [
    'baseUrl' => 'https://api.zoom.us',
    'apiVersion' => 'v1',
    'operations' => [
        'AutoCreate' => [
            'httpMethod' => 'POST',
            'uri' => '/{ApiVersion}/user/autocreate',
        ],
        'Get' => [
            'httpMethod' => 'POST',
            'uri' => '/{ApiVersion}/user/get',
        ],
    ],
];
