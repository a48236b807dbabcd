using DataHub.Support;

namespace DataHub.Pipelines;

/// <summary>Which spellings of an address are the same, and what a register makes of them.</summary>
public sealed class AddressRulesTests
{
    private const string Sample = "lor/adressen_sample_1in40.csv";

    [Theory]
    [InlineData("Hauptstraße", "Hauptstr.")]
    [InlineData("Hauptstraße", "HAUPTSTRASSE")]
    [InlineData("Hauptstraße", "hauptstr")]
    [InlineData("Hauptstraße", " Hauptstraße ")]
    [InlineData("Karl-Marx-Straße", "Karl Marx Str.")]
    [InlineData("Karl-Marx-Straße", "Karl–Marx - Strasse")]
    [InlineData("Straße des 17. Juni", "Str. des 17 Juni")]
    [InlineData("Weißenseer Weg", "Weissenseer Weg")]
    [InlineData("GROẞE STRAẞE", "Große Straße")]
    [InlineData("Straße J (HOKA III)", "Str. J, Hoka III")]
    [InlineData("Müllerstraße", "Mu\u0308llerstr.")]
    public void A_street_has_one_form_however_it_is_spelt(string street, string other) => Assert.Equal(AddressRules.Street(street), AddressRules.Street(other));

    [Theory]
    [InlineData("Müllerstraße", "Muellerstraße")]
    [InlineData("Müllerstraße", "Mullerstraße")]
    [InlineData("Winkler Straße", "Winklerstraße")]
    [InlineData("Peter-Strasser-Weg", "Peter-Str.-Weg")]
    [InlineData("Hauptstraße", "Hauptstr. 5")]
    [InlineData("Straße 52", "Straße 52a")]
    public void Streets_that_may_be_two_stay_two(string street, string other) => Assert.NotEqual(AddressRules.Street(street), AddressRules.Street(other));

    [Theory]
    [InlineData("12 a", null, "12A")]
    [InlineData("12A", null, "12A")]
    [InlineData("12", "a", "12A")]
    [InlineData(" 012 ", null, "12")]
    [InlineData("Nr. 12", null, "12")]
    [InlineData("12.", null, "12")]
    [InlineData("12 – 14", null, "12-14")]
    [InlineData("12 bis 14", null, "12-14")]
    [InlineData("12a-c", null, "12A-12C")]
    [InlineData("12 - 12", null, "12")]
    [InlineData("14-12", null, "14-12")]
    [InlineData("12/14", null, "12/14")]
    [InlineData("12 1/2", null, "12 1/2")]
    [InlineData("121/2", null, "121/2")]
    [InlineData("0", null, "0")]
    [InlineData("00", "a", "00A")]
    [InlineData(null, null, "")]
    [InlineData("123456789012345678901", null, null)]
    public void A_number_has_one_form(string? number, string? suffix, string? form) => Assert.Equal(form, AddressRules.Number(number, suffix));

    [Theory]
    [InlineData("12-14", "12", "14")]
    [InlineData("12A-12C", "12A", "12C")]
    [InlineData("9-10B", "9", "10B")]
    public void A_range_has_two_ends(string range, string first, string last) => Assert.Equal((first, last), AddressRules.Ends(range));

    [Theory]
    [InlineData("14-12")]
    [InlineData("12/14")]
    [InlineData("12")]
    public void What_is_no_range_has_none(string number) => Assert.Null(AddressRules.Ends(number));

    [Theory]
    [InlineData("10115", "10115")]
    [InlineData(" 1067", "01067")]
    [InlineData("10 115", "10115")]
    [InlineData("sw1a 1aa", "SW1A1AA")]
    [InlineData("  ", null)]
    public void A_postcode_has_one_form(string text, string? form) => Assert.Equal(form, AddressRules.Postcode(text));

    [Fact]
    public void Half_a_character_and_what_is_too_long_name_nothing()
    {
        Assert.Null(AddressRules.Street("Haupt\ud800straße"));
        Assert.Null(AddressRules.Number("1\udc00"));
        Assert.Null(AddressRules.Street(new string('a', 101)));
        Assert.Null(AddressRules.Street(" - "));
    }

    [Fact]
    public void An_address_in_several_areas_is_found_with_its_postcode_only_and_a_range_by_its_ends()
    {
        var register = new AddressRegister();
        register.Add("Hauptstraße", "1", null, "10115", "a");
        register.Add("Hauptstraße", "1", null, "12345", "b");
        register.Add("Hauptstraße", "1", null, "12345", "b");
        register.Add("Hauptstraße", "3", null, null, "a");
        register.Add("Hauptstraße", "5", null, "10115", "a");
        register.Add("Hauptstraße", "7", null, "10115", "b");
        register.Add("Hauptstraße", "9", null, "10115", null);
        register.Add("Hauptstraße", null, null, "10115", "c");
        register.Add("Zwilling", "1", null, "10115", "a");
        register.Add("Zwilling", "1", null, "10115", "b");
        register.Add(" ", "1", null, null, "a");
        Assert.Equal((11, 7, 1, 1), (register.Rows, register.Count, register.Unusable, register.Outside));

        Assert.Equal(AddressFound.Ambiguous, Find("1"));
        Assert.Equal("a", Find("1", "10115").Area);
        Assert.Equal("b", Find("1", " 12345 ").Area);
        // A wrong postcode is not overlooked.
        Assert.Equal(AddressFound.Unknown, Find("1", "10117"));
        Assert.Equal(AddressFound.Unknown, Find("3", "10115"));
        Assert.Equal("a", Find("3").Area);
        Assert.Equal("a", Find("3-5").Area);
        Assert.Equal("a", Find("5-6").Area);
        Assert.Equal("b", Find("6-7").Area);
        Assert.Equal(AddressFound.Ambiguous, Find("5-7"));
        Assert.Equal(AddressFound.Ambiguous, Find("1-3"));
        Assert.Equal(AddressFound.Unknown, Find("2-4"));
        Assert.Equal(new(AddressKind.Found, null), Find("9"));
        Assert.Equal(AddressFound.Ambiguous, Find("7-9"));
        Assert.Equal("c", Find(null).Area);
        Assert.Equal(AddressFound.Ambiguous, register.Find("Zwilling", "1", null, "10115"));

        AddressFound Find(string? number, string? postcode = null) => register.Find("Hauptstr.", number, null, postcode);
    }

    [SharedDataFact(Sample)]
    public void No_two_streets_of_the_city_become_one()
    {
        var names = SharedData.Text(Sample).Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => line.Split(',')[2]).Distinct().ToArray();
        Assert.Equal(names.Length, names.Select(AddressRules.Street).Distinct().Count());
        Assert.DoesNotContain(null, names.Select(AddressRules.Street));
    }
}
