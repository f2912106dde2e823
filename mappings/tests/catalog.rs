//! The built-in catalog, and what a catalog is refused for.

use mappings::Catalog;

#[test]
fn the_embedded_catalog_is_well_formed() {
    match Catalog::embedded() {
        Ok(catalog) => assert_eq!(catalog.operations().len(), 97),
        Err(error) => panic!("{error}"),
    }
}
