<script>
var base_url = '<?= site() ?>';
$.post(base_url + 'user/list', {});
send(base_url + 'user/create');
</script>
